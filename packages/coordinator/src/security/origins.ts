/** Other origins whose pages may open sockets here. */
export interface OriginRules {
  /** The coordinator's URL for browsers, where a proxy hides it. */
  readonly publicUrl: string | null;
  /** Origins of other sites' pages, separated by commas. */
  readonly allowOrigin: string | null;
}

export function allowedOrigins({ publicUrl, allowOrigin }: OriginRules): string[] {
  const urls = allowOrigin === null ? [] : allowOrigin.split(',');
  if (publicUrl !== null) urls.push(publicUrl);
  return urls.map((url) => new URL(url).origin);
}

/**
 * Checks that a page of this origin may open a socket. Browsers always send the origin, and pages cannot change it;
 * other programs send none and are accepted: their rights depend on their credentials.
 *
 * @param origin the request's `Origin`; the word `null` stands for a page without one, such as a file.
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
