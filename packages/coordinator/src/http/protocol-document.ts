import { type DescribedWire, describeWire, OLDEST_SERVED_VERSION, PROTOCOL_VERSION } from '@coppice/protocol';

/** The participant's wire as `GET /api/protocol.json` describes it. */
export interface ProtocolDocument extends DescribedWire {
  /** The version that the schemas are of, and the oldest that is served. */
  readonly protocol: number;
  readonly oldest: number;
}

let document: ProtocolDocument | null = null;

/** The document, made when it is first asked for. */
export function protocolDocument(): ProtocolDocument {
  document ??= { protocol: PROTOCOL_VERSION, oldest: OLDEST_SERVED_VERSION, ...describeWire() };
  return document;
}
