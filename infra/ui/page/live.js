/** Keeps a page up to date: asks for it once, then listens to the server where it may still change. */

const RETRY_MS = 3000;
const LOOK_MS = 400;
const AWAY = 'The server of this page does not answer; trying again.';

/**
 * @param address below /data and /live
 * @param view `show(data)`, `fail(message)`, `mayChange(data)`, and `isBusy()`: whether to wait with showing
 */
export async function follow(address, { show, fail, mayChange, isBusy }) {
  let shown = null;
  let waiting = null;
  let events = null;

  function take(text) {
    if (text === shown) return;
    if (isBusy()) {
      waiting = text;
      return;
    }
    waiting = null;
    shown = text;
    show(JSON.parse(text));
  }
  // What came while something was typed or chosen is shown when that is over.
  setInterval(() => waiting !== null && take(waiting), LOOK_MS);

  function refuse(message) {
    shown = null;
    fail(message);
  }

  function listen() {
    events = new EventSource(`/live${address}`);
    events.addEventListener('page', ({ data }) => {
      take(data);
      if (!mayChange(JSON.parse(data))) close();
    });
    events.addEventListener('problem', ({ data }) => refuse(JSON.parse(data).error));
    // The browser connects again by itself, unless it was refused.
    events.addEventListener('error', () => {
      refuse(AWAY);
      if (events?.readyState === EventSource.CLOSED) setTimeout(listen, RETRY_MS);
    });
  }

  function close() {
    events?.close();
    events = null;
  }

  // A browser has few connections to one server: a page that nobody sees needs none.
  document.addEventListener('visibilitychange', () => {
    if (document.hidden) close();
    else if (!events && shown !== null && mayChange(JSON.parse(shown))) listen();
  });

  for (;;) {
    try {
      const response = await fetch(`/data${address}`);
      const text = await response.text();
      const data = JSON.parse(text);
      if (response.ok) {
        take(text);
        if (mayChange(data)) listen();
        return;
      }
      refuse(data.error);
      // Only a store that is away comes back by itself.
      if (response.status < 500) return;
    } catch (error) {
      if (!(error instanceof TypeError)) throw error;
      refuse(AWAY);
    }
    await new Promise(resolve => setTimeout(resolve, RETRY_MS));
  }
}
