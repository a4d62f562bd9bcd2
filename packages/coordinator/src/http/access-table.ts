import type { Scope } from '@coppice/protocol';

/** The requirement of a route: a scope, any admin's session, or nothing. */
export type Need = Scope | 'session' | 'public';

/**
 * Requirements of all routes under `/api`, and of `/metrics`. The first match counts; a route without an entry is
 * refused to everyone.
 */
export const accessTable: readonly (readonly [
  'get' | 'post' | 'put' | 'patch' | 'delete' | 'options',
  string,
  Need,
])[] = [
  ['get', '/metrics', 'metrics:read'],
  ['get', '/api/info', 'public'],
  ['get', '/api/openapi.json', 'public'],
  ['get', '/api/protocol.json', 'public'],
  ['get', '/api/session', 'public'],
  ['post', '/api/session', 'public'],
  ['delete', '/api/session', 'public'],
  ['put', '/api/account', 'session'],
  ['get', '/api/admins', 'admins:write'],
  ['patch', '/api/admins/:admin', 'admins:write'],
  ['delete', '/api/admins/:admin', 'admins:write'],
  ['get', '/api/admin-invitations', 'admins:write'],
  ['post', '/api/admin-invitations', 'admins:write'],
  // A holder of the code is asked for nothing else.
  ['post', '/api/admin-invitations/accept', 'public'],
  ['delete', '/api/admin-invitations/:invitation', 'admins:write'],
  ['get', '/api/tokens', 'admins:write'],
  ['post', '/api/tokens', 'admins:write'],
  ['delete', '/api/tokens/:token', 'admins:write'],
  ['get', '/api/sessions', 'session'],
  ['delete', '/api/sessions/:session', 'session'],
  ['get', '/api/audit', 'audit:read'],
  ['get', '/api/tasks', 'public'],
  ['post', '/api/tasks', 'tasks:write'],
  ['post', '/api/weights', 'tasks:write'],
  ['get', '/api/tasks/:task', 'public'],
  ['get', '/api/tasks/:task/samples', 'public'],
  ['get', '/api/tasks/:task/releases', 'runs:read'],
  ['post', '/api/tasks/:task/releases', 'releases:write'],
  ['post', '/api/tasks/:task/releases/undo', 'releases:write'],
  ['get', '/api/tasks/:task/firings', 'runs:read'],
  ['post', '/api/tasks/:task/firings', 'releases:write'],
  // People read what a device reports before they agree.
  ['get', '/api/tasks/:task/watch', 'public'],
  ['get', '/api/tasks/:task/policy', 'runs:read'],
  ['put', '/api/tasks/:task/policy', 'releases:write'],
  ['get', '/api/tasks/:task/admission', 'runs:read'],
  ['get', '/api/tasks/:task/drift', 'runs:read'],
  ['get', '/api/tasks/:task/references/:release', 'runs:read'],
  ['put', '/api/tasks/:task/admission', 'participants:write'],
  ['post', '/api/tasks/:task/invitations', 'participants:write'],
  ['delete', '/api/tasks/:task/invitations/:invitation', 'participants:write'],
  ['post', '/api/tasks/:task/allow-list', 'participants:write'],
  ['delete', '/api/tasks/:task/allow-list/:participant', 'participants:write'],
  // Whole runs with `runs:read`, summaries without.
  ['get', '/api/runs', 'public'],
  ['post', '/api/runs', 'runs:write'],
  ['get', '/api/runs/:run', 'runs:read'],
  // People read what a run does with an update before they agree.
  ['get', '/api/runs/:run/plan', 'public'],
  // Browsers ask before they let a page of another origin send headers. Before the route for GET, by which Express would
  // answer by itself.
  ['options', '/api/runs/:run/parcels/:hash', 'public'],
  // Of runs that are not open, for holders of a ticket: the route looks at it.
  ['get', '/api/runs/:run/parcels/:hash', 'public'],
  ['get', '/api/runs/:run/rounds', 'runs:read'],
  ['get', '/api/runs/:run/checkpoints', 'runs:read'],
  ['get', '/api/runs/:run/participants', 'runs:read'],
  // Secrets are not in it: of invitations only that they are there.
  ['get', '/api/runs/:run/admission', 'runs:read'],
  ['put', '/api/runs/:run/admission', 'participants:write'],
  // Before the actions, whose pattern would fit these too.
  ['post', '/api/runs/:run/invitations', 'participants:write'],
  ['delete', '/api/runs/:run/invitations/:invitation', 'participants:write'],
  ['post', '/api/runs/:run/allow-list', 'participants:write'],
  ['delete', '/api/runs/:run/allow-list/:participant', 'participants:write'],
  ['post', '/api/runs/:run/:action', 'runs:write'],
  ['get', '/api/bans', 'runs:read'],
  ['post', '/api/bans', 'participants:write'],
  ['delete', '/api/bans/:ban', 'participants:write'],
  ['get', '/api/events', 'runs:read'],
];
