// What needs Node's file system: the data of the built-in tasks.
export { hasTaskData, loadTaskData } from './load.ts';
