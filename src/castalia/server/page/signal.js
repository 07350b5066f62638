// A value that components watch: `signal(first)`, and `watch(it)` inside a component.
import { useEffect, useState } from "./preact.js";

export function signal(value) {
  const watchers = new Set();
  return {
    get value() {
      return value;
    },
    set value(next) {
      value = next;
      for (const each of [...watchers]) each();
    },
    subscribe(each) {
      watchers.add(each);
      return () => watchers.delete(each);
    },
  };
}

export function watch(it) {
  const [, again] = useState(0);
  useEffect(() => it.subscribe(() => again((n) => n + 1)), [it]);
  return it.value;
}
