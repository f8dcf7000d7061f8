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

  test('refuses sides whose first gradients differ', async () => {
    const sides = (norm: number) => [
      scripted('ours', [{ seconds: 1, gradNorm: 2 }], []),
      scripted('peer', [{ seconds: 1, gradNorm: norm }], []),
    ];
    const plan = { repetitions: 1, warmUp: false, seconds: 1000 };
    await expect(takeTurns(sides(2.01), plan)).rejects.toThrow('do not compute the same');
    await expect(takeTurns(sides(2.0001), plan)).resolves.toHaveLength(2);
  });
});
