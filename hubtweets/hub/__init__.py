"""The embedded Hub: a server on loopback that the unmodified huggingface_hub client can use.

api/          the endpoints that clients call
pages/        the pages for a browser
storage/      repos, commits and file contents, as plain files
generation/   text generation with published models, in processes of their own
server        the routes
middleware, connections   reject requests from other sites, and slow ones
local         starts it, in the foreground or in a thread
"""
