import { Progress, Text, UnstyledButton } from "@mantine/core";
import { Link } from "react-router";
import { formatFraction } from "../../ui/format";
import { isMoving } from "./uploads-store";
import { useUploads } from "./uploads-provider";
import classes from "./uploads-summary.module.css";

/** Uploads that go on while another page is open. */
export function UploadsSummary() {
  const { items } = useUploads();
  const moving = items.filter(({ phase }) => isMoving(phase));
  if (moving.length === 0) return null;
  const total = moving.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
  const sent = moving.reduce((sum, item) => sum + item.sentBytes, 0);
  const fraction = total === 0 ? 0 : sent / total;
  return (
    <UnstyledButton component={Link} to="/datasets" className={classes.box}>
      <Text size="xs" c="dimmed" className="numeric" mb={6}>
        Uploading {moving.length === 1 ? (moving[0]?.filename ?? "") : `${moving.length} files`} ·{" "}
        {formatFraction(fraction)}
      </Text>
      <Progress value={fraction * 100} size="xs" aria-label="Upload" />
    </UnstyledButton>
  );
}
