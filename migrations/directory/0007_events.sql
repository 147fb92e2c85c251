-- Recent events, counters, alerts.
SELECT 1;
