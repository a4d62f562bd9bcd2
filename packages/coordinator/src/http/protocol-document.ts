import { type DescribedWire, describeWire, OLDEST_SERVED_VERSION, PROTOCOL_VERSION } from '@coppice/protocol';

/** The document of `GET /api/protocol.json`: the participant's wire. */
export interface ProtocolDocument extends DescribedWire {
  /** The version of the schemas, and the oldest that is served. */
  readonly protocol: number;
  readonly oldest: number;
}

let document: ProtocolDocument | null = null;

/** The document, built on first use. */
export function protocolDocument(): ProtocolDocument {
  document ??= { protocol: PROTOCOL_VERSION, oldest: OLDEST_SERVED_VERSION, ...describeWire() };
  return document;
}
