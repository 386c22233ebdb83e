using System.Collections.Concurrent;
using Net.Pkcs11Interop.Common;
using Net.Pkcs11Interop.HighLevelAPI;

namespace Muster.Cryptography.Pkcs11;

/// <summary>
/// One hardware module: the manufacturer's library, loaded once, with a bounded number of sessions that go from thread to thread. After a
/// fault the library is started anew, because with some of them nothing less brings a lost token back, and the work is done once more.
/// </summary>
internal sealed class TokenModule : IDisposable
{
    /// <summary>
    /// Signatures at a time: at 20 ms each, 200 a second, which is a fleet of a million that renews within two hours. Small modules have
    /// eight sessions for all that use them.
    /// </summary>
    public const int SessionsMax = 4;

    /// <summary>For a session, and for the others to come back before the library is started anew.</summary>
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(5);

    /// <summary>A module that does not start is not started again for every caller.</summary>
    private static readonly TimeSpan Pace = TimeSpan.FromSeconds(1);

    private readonly string _path;
    private readonly TokenPins _pins;
    private readonly TimeProvider _clock;
    private readonly SemaphoreSlim _turns = new(SessionsMax);
    private readonly Lock _gate = new();
    private readonly Lock _restarting = new();
    private readonly Dictionary<string, Stack<KeySession>> _idle = [];
    private readonly ConcurrentDictionary<string, (long At, string Fault)> _failed = new();
    private IPkcs11Library? _library;
    private int _starts;

    public TokenModule(string path, bool isGroupReadAllowed, TimeProvider clock) =>
        (_path, _pins, _clock) = (path, new TokenPins(isGroupReadAllowed), clock);

    /// <summary>Works with a key in a session that has logged in.</summary>
    public T Use<T>(TokenUri key, Func<ISession, IObjectHandle, T> work) => Try(key, () =>
    {
        var session = Take(key);
        var isWhole = false;
        try
        {
            var result = work(session.Session, session.Key);
            isWhole = true;
            return result;
        }
        finally
        {
            Return(key, session, isWhole);
        }
    });

    /// <summary>Works with a token in a session of its own that may write.</summary>
    public T UseToken<T>(TokenUri token, Func<ISession, T> work) => Try(token, () =>
    {
        using var session = Open(token, SessionType.ReadWrite);
        return work(session);
    });

    public void Dispose()
    {
        // Under a call the library may not be ended; one that hangs ends with the process.
        if (TakeAllTurns())
        {
            Close();
            _turns.Dispose();
        }
    }

    private T Try<T>(TokenUri uri, Func<T> work)
    {
        var name = uri.ToString();
        if (_failed.TryGetValue(name, out var failed) && _clock.GetElapsedTime(failed.At) < Pace)
        {
            throw new TokenException(failed.Fault);
        }

        var starts = _starts;
        try
        {
            return InTurn(uri, work);
        }
        catch (Exception fault) when (fault is Pkcs11Exception or TokenException { IsFinal: false })
        {
            Restart(uri, starts);
        }

        try
        {
            var result = InTurn(uri, work);
            _failed.TryRemove(name, out _);
            return result;
        }
        catch (Exception fault) when (fault is Pkcs11Exception or TokenException)
        {
            var said = fault as TokenException ?? new TokenException(
                $"{uri.Where} of '{_path}' does not do what it is asked: {(fault as Pkcs11Exception)?.RV}.", fault);
            _failed[name] = (_clock.GetTimestamp(), said.Message);
            throw said;
        }
    }

    private T InTurn<T>(TokenUri uri, Func<T> work)
    {
        if (!_turns.Wait(Patience))
        {
            throw Busy(uri);
        }

        try
        {
            return work();
        }
        finally
        {
            _turns.Release();
        }
    }

    /// <summary>Only when nobody is inside: the library may not be ended under a call.</summary>
    private void Restart(TokenUri uri, int starts)
    {
        lock (_restarting)
        {
            if (starts != _starts)
            {
                return;
            }

            if (!TakeAllTurns())
            {
                throw Busy(uri);
            }

            try
            {
                Close();
                _starts++;
            }
            finally
            {
                _turns.Release(SessionsMax);
            }
        }
    }

    private bool TakeAllTurns()
    {
        for (var turns = 0; turns < SessionsMax; turns++)
        {
            if (!_turns.Wait(Patience))
            {
                if (turns > 0)
                {
                    _turns.Release(turns);
                }

                return false;
            }
        }

        return true;
    }

    private static TokenException Busy(TokenUri uri) =>
        TokenException.Final($"{uri.Where} has not answered for {Patience.TotalSeconds} s.");

    private KeySession Take(TokenUri key)
    {
        lock (_gate)
        {
            if (_idle.TryGetValue(key.ToString(), out var idle) && idle.TryPop(out var known))
            {
                return known;
            }
        }

        var session = Open(key, SessionType.ReadOnly);
        try
        {
            return new KeySession(session, TokenObjects.FindKey(session, key));
        }
        catch
        {
            session.Dispose();
            throw;
        }
    }

    private void Return(TokenUri key, KeySession session, bool isWhole)
    {
        if (!isWhole)
        {
            Quietly(session.Session.Dispose);
            return;
        }

        lock (_gate)
        {
            if (!_idle.TryGetValue(key.ToString(), out var idle))
            {
                _idle[key.ToString()] = idle = [];
            }

            idle.Push(session);
        }
    }

    private ISession Open(TokenUri uri, SessionType type)
    {
        lock (_gate)
        {
            _library ??= TokenLibrary.Load(_path);
            var slot = TokenObjects.FindSlot(_library, uri);
            var session = slot.OpenSession(type);
            try
            {
                _pins.Login(slot, session, uri);
                return session;
            }
            catch
            {
                session.Dispose();
                throw;
            }
        }
    }

    private void Close()
    {
        lock (_gate)
        {
            foreach (var session in _idle.Values.SelectMany(idle => idle))
            {
                Quietly(session.Session.Dispose);
            }

            _idle.Clear();
            Quietly(() => _library?.Dispose());
            _library = null;
        }
    }

    /// <summary>What is lost already may say so when it is closed.</summary>
    private static void Quietly(Action close)
    {
        try
        {
            close();
        }
        catch (Pkcs11Exception)
        {
            // The session or the module is gone, which is what was wanted.
        }
    }

    private readonly record struct KeySession(ISession Session, IObjectHandle Key);
}
