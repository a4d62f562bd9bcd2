import type { RefObject } from 'preact';
import { useEffect, useLayoutEffect, useRef, useState } from 'preact/hooks';

/** The width of an element's content in CSS pixels, updated on every resize; 0 until it is laid out. */
export function useWidth(host: RefObject<HTMLElement | null>): number {
  const [width, setWidth] = useState(0);
  const observed = useRef<{ element: HTMLElement; observer: ResizeObserver } | null>(null);
  // After every render: a chart that was empty gets its element only with its first data.
  useLayoutEffect(() => {
    const element = host.current;
    if (element === (observed.current?.element ?? null)) return;
    observed.current?.observer.disconnect();
    observed.current = null;
    if (element === null) return;
    const observer = new ResizeObserver(() => setWidth(Math.floor(element.clientWidth)));
    observer.observe(element);
    observed.current = { element, observer };
    setWidth(Math.floor(element.clientWidth));
  });
  useLayoutEffect(() => () => observed.current?.observer.disconnect(), []);
  return width;
}

/** A counter that grows whenever the page's colours may have changed: theme switched, system theme, forced colours. */
export function useThemeVersion(): number {
  const [version, setVersion] = useState(0);
  useEffect(() => {
    const changed = () => setVersion((before) => before + 1);
    const attributes = new MutationObserver(changed);
    attributes.observe(document.documentElement, { attributes: true });
    const media = ['(prefers-color-scheme: dark)', '(forced-colors: active)', '(prefers-contrast: more)'].map(
      (query) => matchMedia(query),
    );
    for (const query of media) query.addEventListener('change', changed);
    return () => {
      attributes.disconnect();
      for (const query of media) query.removeEventListener('change', changed);
    };
  }, []);
  return version;
}
