-- Configuration as versions. See src/directory/config/.
SELECT 1;
