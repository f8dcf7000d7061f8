import { takeTurns } from '../../../infra/bench/measure';
import type { Repetition, Side } from '../../../infra/bench/side';

/** A side whose turns take the given times, noting whose turn it was. */
function scripted(name: string, turns: Repetition[], order: string[]): Side {
  let next = 0;
  return {
    pid: process.pid,
    versions: {},
    repeat: async () => {
      order.push(name);
      return turns[next++]!;
    },
    close: async () => {},
  };
}

const times = (...seconds: number[]): Repetition[] => seconds.map(s => ({ seconds: s }));

describe('takeTurns', () => {
  test('alternates, and does not count the warm-up', async () => {
    const order: string[] = [];
    const sides = [scripted('ours', times(99, 1, 2, 3), order), scripted('peer', times(77, 10, 30, 20), order)];
    const [ours, peer] = await takeTurns(sides, { repetitions: 3, warmUp: true, seconds: 1000 });
    expect(order).toEqual(['ours', 'peer', 'ours', 'peer', 'ours', 'peer', 'ours', 'peer']);
    expect(ours).toMatchObject({ seconds: [1, 2, 3], median: 2 });
    expect(peer).toMatchObject({ seconds: [10, 30, 20], median: 20 });
  });

  test('begins no further round after the time is up, but gives every side one', async () => {
    const order: string[] = [];
    const [ours] = await takeTurns([scripted('ours', times(99, 1, 2), order)], {
      repetitions: 2,
      warmUp: true,
      seconds: 0,
    });
    expect(ours!.seconds).toEqual([1]);
  });

  test('keeps what the first turn computed, the warm-up if there is one', async () => {
    const turns = [2.5, 2.25].map(gradNorm => ({ seconds: 1, gradNorm }));
    const [measured] = await takeTurns([scripted('ours', turns, [])], { repetitions: 1, warmUp: true, seconds: 1000 });
    expect(measured).toMatchObject({ gradNorm: 2.5 });
    const run = [{ seconds: 1, weights: 'abc' }];
    const [whole] = await takeTurns([scripted('ours', run, [])], { repetitions: 1, warmUp: false, seconds: 1000 });
    expect(whole).toMatchObject({ weights: 'abc' });
    expect(whole).not.toHaveProperty('gradNorm');
  });

  test('takes a side at its word about the memory of processes that are gone', async () => {
    const turns = [5, 7, 6].map(peakBytes => ({ seconds: 1, peakBytes }));
    const [measured] = await takeTurns([scripted('ours', turns, [])], { repetitions: 3, warmUp: false, seconds: 1000 });
    expect(measured).toMatchObject({ peakBytes: 7 });
  });
});
