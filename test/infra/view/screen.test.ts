import { screenOn } from '../../../infra/view/screen';

function terminal(more: { columns?: number; rows?: number } = {}, environment: NodeJS.ProcessEnv = {}) {
  const output = {
    written: '',
    isTTY: true,
    columns: 20,
    ...more,
    write(chunk: string | Uint8Array) {
      output.written += String(chunk);
      return true;
    },
  };
  return { output, screen: screenOn(output, environment) };
}

test('one block, redrawn in place, its lines cut to the width', () => {
  const { output, screen } = terminal();
  screen.draw(['one', 'a line that is much too long']);
  screen.draw(['two']);
  screen.print(['stays']);
  expect(output.written).toBe('one\na line that is muc…\n\x1b[2A\x1b[0Jtwo\n\x1b[1A\x1b[0Jstays\n');
});

test('a block higher than the terminal is cut, for what scrolls away cannot be redrawn', () => {
  const { output, screen } = terminal({ rows: 4 });
  screen.draw(['1', '2', '3', '4', '5']);
  expect(output.written).toBe('1\n2\n… 3 more lines\n');
});

test('a terminal made narrower meanwhile is erased by the rows that it now shows', () => {
  const { output, screen } = terminal();
  screen.draw(['0123456789012345', 'x', '']);
  output.columns = 10;
  screen.draw([]);
  expect(output.written).toBe('0123456789012345\nx\n\n\x1b[4A\x1b[0J');
});

test('one that takes no commands is written to like a pipe', () => {
  const { output, screen } = terminal({}, { TERM: 'dumb' });
  expect([screen.terminal, screen.style.good('x')]).toEqual([false, 'x']);
  screen.draw(['block']);
  screen.print(['line']);
  expect(output.written).toBe('line\n');
});
