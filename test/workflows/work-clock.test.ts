import { WorkClock } from '../../workflows/work-clock';

beforeEach(() => jest.useFakeTimers({ doNotFake: ['nextTick', 'setImmediate'], now: 1_000_000 }));
afterEach(() => jest.useRealTimers());

test('tells the time that passed, but for what it stood still', () => {
  const clock = new WorkClock();
  const began = clock.read();
  const passed = (): number => clock.read() - began;
  jest.advanceTimersByTime(300);
  expect(passed()).toBe(300);
  clock.stand(true);
  jest.advanceTimersByTime(5000);
  clock.stand(true);
  jest.advanceTimersByTime(5000);
  expect(passed()).toBe(300);
  clock.stand(false);
  jest.advanceTimersByTime(40);
  clock.stand(false);
  expect(passed()).toBe(340);
  clock.stand(true);
  jest.advanceTimersByTime(7);
  clock.stand(false);
  expect(passed()).toBe(340);
});
