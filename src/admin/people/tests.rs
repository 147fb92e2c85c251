//! The pages of people, groups, links and refusals over a real Directory.
