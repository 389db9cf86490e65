package org.tiproxy.supervisor;

import java.io.File;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Finds the program to start. A path with a slash is taken as it is, relative to the child's working directory; a bare
 * name is looked for in the working directory, if one was given, and then in the folders of {@code PATH}.
 *
 * @param program the program's absolute path; null if it was not found
 * @param failure where it was looked for in vain, as a phrase; empty if it was found
 */
record ProgramLookup(@Nullable Path program, String failure) {
    /**
     * Looks for {@code exec}.
     *
     * @param workdir the child's working directory; null for the proxy's own
     * @param searchPath the value of {@code PATH}
     */
    static ProgramLookup find(String exec, @Nullable Path workdir, String searchPath) {
        List<Path> candidates;
        try {
            candidates = candidates(exec, workdir, searchPath);
        } catch (InvalidPathException e) {
            return new ProgramLookup(null, "not a path: " + e.getReason());
        }
        for (Path candidate : candidates) {
            if (Files.isRegularFile(candidate) && Files.isExecutable(candidate)) {
                return new ProgramLookup(candidate, "");
            }
        }
        for (Path candidate : candidates) {
            if (Files.isDirectory(candidate)) {
                return new ProgramLookup(null, candidate + " is a folder");
            }
            if (Files.exists(candidate)) {
                return new ProgramLookup(null, candidate + " is not executable");
            }
        }
        return new ProgramLookup(null, "no such program" + places(exec, workdir, candidates, searchPath));
    }

    private static List<Path> candidates(String exec, @Nullable Path workdir, String searchPath) {
        Path folder = (workdir == null ? Path.of("") : workdir).toAbsolutePath();
        if (exec.indexOf('/') >= 0) {
            return List.of(folder.resolve(exec).normalize());
        }
        List<Path> found = new ArrayList<>();
        if (workdir != null) {
            found.add(folder.resolve(exec));
        }
        for (String entry : searchPath.split(File.pathSeparator, -1)) {
            if (!entry.isEmpty()) {
                found.add(Path.of(entry).toAbsolutePath().resolve(exec));
            }
        }
        return found;
    }

    private static String places(String exec, @Nullable Path workdir, List<Path> candidates, String searchPath) {
        if (exec.indexOf('/') >= 0) {
            return "; looked for " + candidates.get(0);
        }
        String inPath = "PATH (" + (searchPath.isEmpty() ? "which is empty" : searchPath) + ")";
        return workdir == null ? "; looked in " + inPath : "; looked in " + workdir + " and " + inPath;
    }
}
