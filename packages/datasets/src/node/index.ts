// The data of the built-in tasks, and files of pictures, which need Node's file system.
export { hasTaskData, loadTaskData } from './load.ts';
export { readPictureFile } from './picture-file.ts';
export { readPictureFolder, type SkippedFile } from './picture-folder.ts';
export { proposePictures } from './propose-pictures.ts';
