"""The ground floor that checkpoint and store share. Private: nothing here is a public interface."""
