namespace Muster.Cryptography.Certificates;

/// <summary>Writes files that hold keys: readable by their owner only from the first byte on, whole or not at all.</summary>
public static class PrivateFile
{
    private const UnixFileMode OwnerOnly = UnixFileMode.UserRead | UnixFileMode.UserWrite;

    /// <summary>Writes a file with mode 0600 and replaces one that is there.</summary>
    public static void Write(string path, string text)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        ArgumentNullException.ThrowIfNull(text);
        var temporary = $"{path}.{Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(8))}.tmp";
        var options = new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.Write };
        if (!OperatingSystem.IsWindows())
        {
            options.UnixCreateMode = OwnerOnly;
        }

        try
        {
            using (var file = new FileStream(temporary, options))
            {
                file.Write(System.Text.Encoding.UTF8.GetBytes(text));
                file.Flush(flushToDisk: true);
            }

            File.Move(temporary, path, overwrite: true);
        }
        catch
        {
            File.Delete(temporary);
            throw;
        }
    }

    /// <summary>Creates a folder that only its owner can enter.</summary>
    public static void CreateFolder(string path)
    {
        if (OperatingSystem.IsWindows())
        {
            Directory.CreateDirectory(path);
        }
        else
        {
            Directory.CreateDirectory(path, OwnerOnly | UnixFileMode.UserExecute);
        }
    }

    /// <summary>Refuses a CA's key file, or one with another secret, that has any mode bit of group or others.</summary>
    /// <param name="path">The file.</param>
    /// <param name="isGroupReadAllowed">
    /// The group may read it (and no more): a secret that Kubernetes mounts is root's, and the pod reads it by its own group.
    /// </param>
    /// <param name="what">What the file is, for the sentence.</param>
    public static void RequireOwnerOnly(string path, bool isGroupReadAllowed, string what = "CA's key")
    {
        if (OperatingSystem.IsWindows())
        {
            return;
        }

        var mode = File.GetUnixFileMode(path);
        var allowed = OwnerOnly | (isGroupReadAllowed ? UnixFileMode.GroupRead : UnixFileMode.None);
        if ((mode & ~allowed) != 0)
        {
            throw new KeyFileExposedException(
                $"The {what} '{path}' has mode 0{Convert.ToString((int)mode, 8)}: others than its owner get at it. "
                + $"Run: chmod 600 '{path}'");
        }
    }

    /// <summary>Refuses a key file that others than its owner and group can read.</summary>
    public static void RequirePrivate(string path)
    {
        if (!OperatingSystem.IsWindows() && (File.GetUnixFileMode(path) & (UnixFileMode.OtherRead | UnixFileMode.OtherWrite)) != 0)
        {
            throw new InvalidOperationException($"The key file '{path}' can be read by everybody; give it mode 0600.");
        }
    }
}

/// <summary>Others than its owner can read or change a CA's key.</summary>
public sealed class KeyFileExposedException(string message) : InvalidOperationException(message);
