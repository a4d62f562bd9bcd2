import { useEffect, useRef, useState } from 'preact/hooks';

/**
 * A text that changes at most every `interval` milliseconds while `busy`, the newest last; at once
 * otherwise. A screen reader that is told fifteen steps a second says nothing else.
 */
export function useThrottled(value: string, busy: boolean, interval: number): string {
  const [shown, setShown] = useState(value);
  const changedAt = useRef(0);
  useEffect(() => {
    const show = () => {
      changedAt.current = performance.now();
      setShown(value);
    };
    const wait = busy ? changedAt.current + interval - performance.now() : 0;
    if (wait <= 0) {
      show();
      return undefined;
    }
    const timer = setTimeout(show, wait);
    return () => clearTimeout(timer);
  }, [value, busy, interval]);
  return shown;
}
