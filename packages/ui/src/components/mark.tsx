/** The mark: growth rings of a coppiced stool, the newest one open. */
export function Mark({ size = 28 }: { size?: number }) {
  return (
    <svg
      class="mark"
      width={size}
      height={size}
      viewBox="0 0 32 32"
      fill="none"
      stroke="currentColor"
      aria-hidden="true"
    >
      <circle cx="16" cy="17" r="3" stroke-width="2.4" />
      <path d="M16 9.6a7.4 7.4 0 1 1-5 1.9" stroke-width="2.2" stroke-linecap="round" />
      <path d="M20.6 4.8A13 13 0 1 1 8.2 6.6" stroke-width="2" stroke-linecap="round" />
      <path
        d="M14 8.5c-.6-3 .4-5.5 3-7.4 1.6 2.600 1.100 5.200-.6 7.400"
        stroke-width="1.8"
        stroke-linejoin="round"
      />
    </svg>
  );
}
