-- Resources of MCP servers are accepted like their tools, and contents may be pinned.

alter table mcp_items drop constraint mcp_items_kind_check;
alter table mcp_items add constraint mcp_items_kind_check
  check (kind in ('tool', 'prompt', 'instructions', 'resource', 'resource-template', 'contents'));
