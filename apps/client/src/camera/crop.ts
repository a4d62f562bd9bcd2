/** The largest centred area of these proportions, in whole pixels. */
export function middle(width: number, height: number, ratio: number) {
  const w = Math.max(1, Math.round(Math.min(width, height * ratio)));
  const h = Math.max(1, Math.round(Math.min(height, width / ratio)));
  return { x: (width - w) >> 1, y: (height - h) >> 1, width: w, height: h };
}

/** Takes the current frame, cropped like the preview; `null` before the first frame. */
export async function takeFrame(video: HTMLVideoElement, ratio: number): Promise<ImageBitmap | null> {
  if (video.readyState < HTMLMediaElement.HAVE_CURRENT_DATA || video.videoWidth === 0) return null;
  const { x, y, width, height } = middle(video.videoWidth, video.videoHeight, ratio);
  return createImageBitmap(video, x, y, width, height);
}
