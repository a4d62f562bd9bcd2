/** A module of its own, and so a file of its own on the page: who has no WebGPU never loads it. */
import '@tensorflow/tfjs-backend-webgpu';
