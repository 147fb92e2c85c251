-- Backups: runs, and what is in storage. See src/directory/backups/.
SELECT 1;
