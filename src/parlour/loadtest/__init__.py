"""A crowd for a server to carry: members that signal and send as browsers do, and say what came of it."""
