/** Comments on each benchmark's figures that hold for any run: causes of a missed aim, and attempted remedies. */
export const remarks: Readonly<Record<string, string>> = {
  data: `The page reads in its worker; the library alone takes a second for the same file. The rest is IndexedDB, the preview, and the other programs of the machine.`,
  rounds: `A coordinator writes each update to the disk before it acknowledges it, checks it and sums it exactly; the echo forgets it. With a
thousand clients both processors are busy all the time, one of them with the clients, and two runs may differ by a tenth.`,
  aggregation: `NumPy adds float32 numbers, as many at once as the processor can (sixteen with AVX-512); WebAssembly has four, or two of float64, which an exact
sum needs. Each number is copied into the kernels' memory, looked at, turned into a whole number of units and added to a sum of eight bytes.
Tried without gain: several updates in one pass over the sums, looking and adding in one pass, longer strips, slices from 16 to 128 kB, constants in registers,
checksums slice by slice. A second thread would halve the time on the clock, and take the processor that receives.`,
  bytes: `The number of rounds depends on the seed more than on the codec: [thirty seeds](codecs-mnist.md), each codec against float32 of the same seed, tell
more than five. Models are rounded to the nearest, updates at random, so that their mean stays what it is; rounding updates to the nearest,
too, would lose what is small in all of them.`,
};
