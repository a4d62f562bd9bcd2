import { useEffect, useRef, useState } from 'preact/hooks';

/**
 * A text that changes at most every `interval` milliseconds while `busy`, and at once otherwise; the newest is never
 * lost. A screen reader that is sent fifteen steps a second says nothing else.
 */
export function useThrottled(value: string, busy: boolean, interval: number): string {
  const [shown, setShown] = useState(value);
  const changedAt = useRef(0);
  const wasBusy = useRef(false);
  useEffect(() => {
    const show = () => {
      changedAt.current = performance.now();
      setShown(value);
    };
    // The first of a busy stretch is news, and said at once.
    const wait = busy && wasBusy.current ? changedAt.current + interval - performance.now() : 0;
    wasBusy.current = busy;
    if (wait <= 0) {
      show();
      return undefined;
    }
    const timer = setTimeout(show, wait);
    return () => clearTimeout(timer);
  }, [value, busy, interval]);
  return shown;
}
