"""The tabs of step 4 beside the ranking, a file each: a tab shows a session and posts what people want."""
