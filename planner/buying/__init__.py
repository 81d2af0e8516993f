"""From a load to fleets: shapes by bytes, carriers by search, pools put together, priced, ranked."""
