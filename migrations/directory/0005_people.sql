-- Caps of single people, and invitations.
SELECT 1;
