// From a picture or a row to the model's inputs, without what reads files: pages that only predict load no more than this.
export { normaliseFeatures } from './normalise.ts';
export { decodePicture, readPicture } from './read-picture.ts';
export { type Row, readRow } from './read-row.ts';
