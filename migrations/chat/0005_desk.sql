-- What the control plane needs of a conversation. See src/chat/desk/.
SELECT 1;
