"""What it is worth: every KPI as a pure function of the stored facts, in daily buckets."""
