import { signal } from '@preact/signals';

/** The page's route. It is in the address after `#`, so that links and the back button work. */
export type Route =
  | { readonly view: 'runs' }
  | { readonly view: 'run'; readonly run: string }
  /** `from`: a run whose plan is copied. */
  | { readonly view: 'launch'; readonly task: string | null; readonly from: string | null }
  | { readonly view: 'new-task' }
  | { readonly view: 'access' }
  /** Target of an invitation's link. */
  | { readonly view: 'join'; readonly code: string }
  /** `task`: null for the list of tasks; `period`: the one that is looked at, null for the newest. */
  | { readonly view: 'monitoring'; readonly task: string | null; readonly period: number | null }
  /** The policy by which a task is monitored and updated. */
  | { readonly view: 'policy'; readonly task: string }
  | { readonly view: 'compare'; readonly runs: readonly string[] };

export function readRoute(hash: string): Route {
  const fields = new URLSearchParams(hash.replace(/^#/, ''));
  const run = fields.get('run');
  if (run !== null && run !== '') return { view: 'run', run };
  if (fields.has('launch'))
    return { view: 'launch', task: fields.get('launch') || null, from: fields.get('from') };
  const code = fields.get('invitation');
  if (code !== null && code !== '') return { view: 'join', code };
  if (fields.has('access')) return { view: 'access' };
  if (fields.has('new-task')) return { view: 'new-task' };
  if (fields.has('monitoring')) {
    const period = fields.get('period') ?? '';
    return {
      view: 'monitoring',
      task: fields.get('monitoring') || null,
      period: /^\d{1,15}$/.test(period) ? Number(period) : null,
    };
  }
  const policy = fields.get('policy');
  if (policy !== null && policy !== '') return { view: 'policy', task: policy };
  if (fields.has('compare')) {
    return { view: 'compare', runs: (fields.get('compare') ?? '').split(',').filter((id) => id !== '') };
  }
  return { view: 'runs' };
}

export function writeRoute(route: Route): string {
  switch (route.view) {
    case 'runs':
      return '#';
    case 'run':
      return `#run=${encodeURIComponent(route.run)}`;
    case 'launch':
      return `#launch=${encodeURIComponent(route.task ?? '')}${route.from === null ? '' : `&from=${encodeURIComponent(route.from)}`}`;
    case 'new-task':
      return '#new-task';
    case 'access':
      return '#access';
    case 'join':
      return `#invitation=${encodeURIComponent(route.code)}`;
    case 'monitoring':
      return `#monitoring${route.task === null ? '' : `=${encodeURIComponent(route.task)}`}${route.period === null ? '' : `&period=${route.period}`}`;
    case 'policy':
      return `#policy=${encodeURIComponent(route.task)}`;
    case 'compare':
      return `#compare=${route.runs.map(encodeURIComponent).join(',')}`;
  }
}

export const route = signal<Route>({ view: 'runs' });

/** Follows the address from here on. */
export function startRoute(): void {
  const read = () => {
    route.value = readRoute(location.hash);
  };
  addEventListener('hashchange', read);
  read();
}

export function go(next: Route): void {
  location.hash = writeRoute(next);
}

/** Changes the address without an entry in the browser's history. */
export function amend(next: Route): void {
  history.replaceState(history.state, '', writeRoute(next));
  route.value = next;
}
