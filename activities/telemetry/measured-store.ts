/** A store whose operations are measured. */
import type { Store } from '../store/index.js';
import { STORE_OPERATIONS } from './metrics.js';
import type { Meters } from './registry.js';

type Method = (...args: unknown[]) => Promise<unknown>;
type StoreOperation = (typeof STORE_OPERATIONS)[number];
/** A folder to work in is lent for as long as the work takes: that is no time of the store's. */
type Unmeasured = 'workFolder';
/** Compiles as long as no operation of the store is forgotten. */
const complete: Exclude<keyof Store, Unmeasured> extends StoreOperation ? true : never = true;
void complete;

/** The same store to whoever uses it, whatever else it can do. */
export function measuredStore<S extends Store>(store: S, meters: Meters): S {
  const methods = new Map<string | symbol, Method>(
    STORE_OPERATIONS.map(operation => [operation, measured(store, operation, meters)]),
  );
  return new Proxy(store, {
    get(target, name) {
      const known = methods.get(name);
      if (known) return known;
      // The store's own fields are private to it: its methods are called on it and not on this.
      const value: unknown = Reflect.get(target, name, target);
      return typeof value === 'function' ? value.bind(target) : value;
    },
  });
}

function measured(store: Store, operation: StoreOperation, meters: Meters): Method {
  const method = store[operation].bind(store) as Method;
  return async (...args) => {
    const started = performance.now();
    try {
      return await method(...args);
    } catch (error) {
      meters.record('longhaul_store_failures_total', { operation }, 1);
      throw error;
    } finally {
      meters.record('longhaul_store_operation_seconds', { operation }, (performance.now() - started) / 1000);
    }
  };
}
