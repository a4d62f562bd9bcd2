import * as parser from 'socket.io-parser';

/**
 * Socket.IO's own parser, but a message has one binary part at most, as every message of ours. It puts
 * parts together before anybody is asked whether they are wanted, and ten large ones are ten times as much.
 */
export const onePartParser = {
  ...parser,
  Decoder: class extends parser.Decoder {
    constructor() {
      super({ maxAttachments: 1 });
    }
  },
};
