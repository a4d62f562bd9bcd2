import * as parser from 'socket.io-parser';

/**
 * Socket.IO's own parser, limited to one binary part a message, which all of the protocol's messages keep. The original
 * assembles all parts before the message is validated, and ten large ones take ten times the memory.
 */
export const onePartParser = {
  ...parser,
  Decoder: class extends parser.Decoder {
    constructor() {
      super({ maxAttachments: 1 });
    }
  },
};
