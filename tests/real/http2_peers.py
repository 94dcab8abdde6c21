async def peers(world):
    return 0
