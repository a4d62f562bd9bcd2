/** The only import of tfjs in this room. */
export * from '@tensorflow/tfjs';
