-- The index of conversations: what the control plane lists, and what changed. See src/directory/conversations.rs.
SELECT 1;
