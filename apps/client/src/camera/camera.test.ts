import { describe, expect, it } from 'vitest';
import { cameraError, nextCamera } from './camera.ts';
import { classOfKey } from './class-keys.ts';
import { middle } from './crop.ts';

describe('cameraError', () => {
  // The names that W3C Media Capture and Streams gives for getUserMedia.
  it.each([
    ['NotAllowedError', 'camera-denied'],
    ['SecurityError', 'camera-denied'],
    ['NotFoundError', 'camera-missing'],
    ['OverconstrainedError', 'camera-missing'],
    ['NotReadableError', 'camera-failed'],
    ['AbortError', 'camera-failed'],
  ])('%s is %s', (name, code) => {
    expect(cameraError(new DOMException('why', name)).code).toBe(code);
  });
});

describe('nextCamera', () => {
  it('goes around, and begins at the first where the current one is not known', () => {
    expect(nextCamera(['a', 'b'], 'a')).toBe('b');
    expect(nextCamera(['a', 'b'], 'b')).toBe('a');
    expect(nextCamera(['a', 'b'], null)).toBe('a');
    expect(nextCamera([], 'a')).toBeNull();
  });
});

describe('classOfKey', () => {
  it('takes a digit by name first, and by place where no class has it for a name', () => {
    expect(classOfKey('7', 0, ['5', '6', '7'])).toBe(2);
    expect(classOfKey('2', 0, ['cat', 'dog'])).toBe(1);
    expect(classOfKey('3', 0, ['cat', 'dog'])).toBeNull();
    expect(classOfKey('0', 0, ['cat', 'dog'])).toBeNull();
    expect(classOfKey('a', 0, ['cat', 'dog'])).toBeNull();
  });

  it('goes around with the arrows', () => {
    expect(classOfKey('ArrowRight', 1, ['cat', 'dog'])).toBe(0);
    expect(classOfKey('ArrowUp', 0, ['cat', 'dog'])).toBe(1);
  });
});

describe('middle', () => {
  it('is the largest part of the proportions, as far from either side', () => {
    expect(middle(640, 480, 1)).toEqual({ x: 80, y: 0, width: 480, height: 480 });
    expect(middle(480, 640, 1)).toEqual({ x: 0, y: 80, width: 480, height: 480 });
    expect(middle(640, 480, 2)).toEqual({ x: 0, y: 80, width: 640, height: 320 });
  });
});
