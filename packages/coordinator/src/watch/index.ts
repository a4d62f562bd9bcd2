// The menu of the watch of tasks alone, for benchmarks. Inside the room, import the file.
export { MonitoredTasks, type MonitoredTasksOptions } from './monitored-tasks.ts';
