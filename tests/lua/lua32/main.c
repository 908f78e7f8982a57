/* lua32 SCRIPT ARGUMENTS...: runs a script with `arg`; the library's source comes without lua.c. */

#include <stdio.h>

#include "lauxlib.h"
#include "lua.h"
#include "lualib.h"

int main(int count, char **words) {
    if (count < 2) {
        fprintf(stderr, "usage: lua32 SCRIPT ARGUMENTS...\n");
        return 2;
    }
    lua_State *lua = luaL_newstate();
    luaL_openlibs(lua);
    lua_newtable(lua);
    for (int i = 1; i < count; i++) {
        lua_pushstring(lua, words[i]);
        lua_rawseti(lua, -2, i - 1);
    }
    lua_setglobal(lua, "arg");
    if (luaL_dofile(lua, words[1]) != LUA_OK) {
        fprintf(stderr, "%s\n", lua_tostring(lua, -1));
        return 1;
    }
    lua_close(lua);
    return 0;
}
