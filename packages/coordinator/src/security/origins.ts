/** Whose pages may open sockets here, beside the coordinator's own. */
export interface OriginRules {
  /** The coordinator's address as browsers know it, where a proxy hides it. */
  readonly publicUrl: string | null;
  /** Origins of other people's pages, with commas between. */
  readonly allowOrigin: string | null;
}

export function allowedOrigins({ publicUrl, allowOrigin }: OriginRules): string[] {
  const urls = allowOrigin === null ? [] : allowOrigin.split(',');
  if (publicUrl !== null) urls.push(publicUrl);
  return urls.map((url) => new URL(url).origin);
}

/**
 * Whether a page of this origin may open a socket. Browsers always say the origin, and pages cannot change
 * it; programs that are no browsers say none and are let in: what they may do hangs on what they can prove.
 *
 * @param origin the request's `Origin`: `null` as a word stands for a page without one, say a file.
 * @param host the request's `Host`.
 */
export function originAllowed(
  { origin, host }: { readonly origin?: string | undefined; readonly host?: string | undefined },
  allowed: readonly string[],
): boolean {
  if (origin === undefined) return true;
  if (!URL.canParse(origin)) return false;
  const url = new URL(origin);
  return (host !== undefined && url.host === host.toLowerCase()) || allowed.includes(url.origin);
}
