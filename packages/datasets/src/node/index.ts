// The data of the built-in tasks, which needs Node's file system.
export { hasTaskData, loadTaskData } from './load.ts';
