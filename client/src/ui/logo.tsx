/** The mark: shards that form a K. */
export function Logo({ size = 26 }: { size?: number }) {
  return (
    <svg width={size} height={size} viewBox="0 0 32 32" aria-hidden>
      <rect width="32" height="32" rx="8" fill="#0f766e" />
      <path
        d="M8 8h4.4v4.6H8zM8 13.7h4.4v4.6H8zM8 19.4h4.4V24H8zM14.2 13.7h4.4v4.6h-4.4zM19.6 8H24v4.6h-4.4zM19.6 19.4H24V24h-4.4z"
        fill="#fff"
      />
    </svg>
  );
}
