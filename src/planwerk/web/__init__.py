"""The pages for people, besides the planning board: login, account, consent, apps. HTML that works without scripts."""
