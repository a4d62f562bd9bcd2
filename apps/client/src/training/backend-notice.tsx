import type { SessionState } from '@coppice/participant';
import { catalogue } from '@coppice/ui';
import { effect, signal } from '@preact/signals';
import { session } from '../link/session.ts';

type Backend = NonNullable<SessionState['backend']>;
const fell = signal<Backend | null>(null);

/** Announces each replacement of a lost backend. */
export function watchBackend(): void {
  effect(() => {
    const lost = session.backendLost.value;
    if (lost !== null) fell.value = session.backend.value;
  });
}

const text = catalogue(
  {
    wasm: 'The graphics processor stopped working for this page. Training goes on with WebAssembly: slower, and just as right.',
    cpu: 'Training goes on in plain JavaScript, because nothing faster works here. Expect it to be slow; closing other tabs or another browser may help.',
    away: 'Put away',
  },
  {
    wasm: '图形处理器已无法供本页使用。训练改用 WebAssembly 继续：较慢，但结果同样正确。',
    cpu: '这里没有更快的方式可用，训练改用普通 JavaScript 继续。会比较慢；关闭其他标签页或换浏览器可能有帮助。',
    away: '收起',
  },
);

export function BackendNotice() {
  const now = fell.value;
  if (now === null || now === 'webgl' || now === 'webgpu') return null;
  const kind = now === 'cpu' ? 'cpu' : 'wasm';
  return (
    <div class="note warn row" role="status" data-testid="fallback">
      <p>{text()[kind]}</p>
      <button
        type="button"
        class="button small"
        onClick={() => {
          fell.value = null;
        }}
      >
        {text().away}
      </button>
    </div>
  );
}
