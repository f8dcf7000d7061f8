import { setTimeout as sleep } from 'node:timers/promises';
import { Publications } from '../../activities/publications.js';

test('are made one after the other, in their order', async () => {
  const publications = new Publications();
  const log: string[] = [];
  const publish = (name: string, ms: number) => async () => {
    log.push(`${name} begins`);
    await sleep(ms);
    log.push(`${name} ends`);
    return name;
  };
  const slow = publications.add(publish('slow', 20));
  const quick = publications.add(publish('quick', 0));
  await publications.over();
  expect(log).toEqual(['slow begins', 'slow ends', 'quick begins', 'quick ends']);
  expect([await slow, await quick]).toEqual(['slow', 'quick']);
});

test('after one that failed nothing more is published, and all say why; what came before is there', async () => {
  const publications = new Publications();
  const published: string[] = [];
  const before = publications.add(async () => published.push('before'));
  const failing = publications.add(async () => {
    throw new Error('the disk is full');
  });
  const after = publications.add(async () => published.push('after'));
  await publications.over();
  await before;
  await expect(failing).rejects.toThrow('the disk is full');
  await expect(after).rejects.toThrow('the disk is full');
  expect(published).toEqual(['before']);
});
