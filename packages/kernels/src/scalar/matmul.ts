import { floats, type Memory } from './memory.ts';

/**
 * Matrix products in the layouts that training needs. Matrices are dense and row-major; results lie apart from inputs.
 * Zeros of A may be skipped: what they would be multiplied by need not be a number.
 */
export interface MatmulKernels {
  /** C [m, n] ← A [m, k] · B [k, n] + bias [n]; a `bias` of 0 is none. */
  matmul(m: number, k: number, n: number, a: number, b: number, bias: number, c: number): void;
  /** C [k, n] ← Aᵀ · B + β · C for A [m, k] and B [m, n]; with β = 0, C is not read. */
  matmulTransposedA(m: number, k: number, n: number, a: number, b: number, beta: number, c: number): void;
  /** C [m, k] ← A [m, n] · Bᵀ for B [k, n]. */
  matmulTransposedB(m: number, n: number, k: number, a: number, b: number, c: number): void;
  /** B [n, m] ← the transposed of A [m, n]. */
  transpose(m: number, n: number, a: number, b: number): void;
  /** c [n] ← sums over the columns of A [m, n] + β · c; with β = 0, c is not read. */
  columnSums(m: number, n: number, a: number, beta: number, c: number): void;
}

export function scalarMatmul(memory: Memory): MatmulKernels {
  return {
    matmul(m, k, n, a, b, bias, c) {
      const [left, right, out] = [
        floats(memory, a, m * k),
        floats(memory, b, k * n),
        floats(memory, c, m * n),
      ];
      const start = bias === 0 ? null : floats(memory, bias, n);
      const row = new Float64Array(n);
      for (let i = 0; i < m; i++) {
        for (let j = 0; j < n; j++) row[j] = start?.[j] ?? 0;
        for (let l = 0; l < k; l++) {
          const x = left[i * k + l] as number;
          for (let j = 0; j < n; j++) row[j] = (row[j] as number) + x * (right[l * n + j] as number);
        }
        out.set(row, i * n);
      }
    },
    matmulTransposedA(m, k, n, a, b, beta, c) {
      const [left, right, out] = [
        floats(memory, a, m * k),
        floats(memory, b, m * n),
        floats(memory, c, k * n),
      ];
      const row = new Float64Array(n);
      for (let i = 0; i < k; i++) {
        row.fill(0);
        for (let l = 0; l < m; l++) {
          const x = left[l * k + i] as number;
          for (let j = 0; j < n; j++) row[j] = (row[j] as number) + x * (right[l * n + j] as number);
        }
        for (let j = 0; j < n; j++) {
          const kept = beta === 0 ? 0 : beta * (out[i * n + j] as number);
          out[i * n + j] = (row[j] as number) + kept;
        }
      }
    },
    matmulTransposedB(m, n, k, a, b, c) {
      const [left, right, out] = [
        floats(memory, a, m * n),
        floats(memory, b, k * n),
        floats(memory, c, m * k),
      ];
      for (let i = 0; i < m; i++) {
        for (let j = 0; j < k; j++) {
          let sum = 0;
          for (let l = 0; l < n; l++) sum += (left[i * n + l] as number) * (right[j * n + l] as number);
          out[i * k + j] = sum;
        }
      }
    },
    transpose(m, n, a, b) {
      const [from, to] = [floats(memory, a, m * n), floats(memory, b, m * n)];
      for (let i = 0; i < m; i++) for (let j = 0; j < n; j++) to[j * m + i] = from[i * n + j] as number;
    },
    columnSums(m, n, a, beta, c) {
      const [from, to] = [floats(memory, a, m * n), floats(memory, c, n)];
      for (let j = 0; j < n; j++) {
        let sum = 0;
        for (let i = 0; i < m; i++) sum += from[i * n + j] as number;
        to[j] = sum + (beta === 0 ? 0 : beta * (to[j] as number));
      }
    },
  };
}
