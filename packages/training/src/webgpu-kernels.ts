/** A separate module, and so a separate file on the page: browsers without WebGPU never load it. */
import '@tensorflow/tfjs-backend-webgpu';
